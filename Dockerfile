# The image that every component of the pipelines runs in. Its name must hold the word "python": kfp takes that as a sign
# that components can run in it.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /opt/gemini-sft
COPY requirements.txt .
RUN pip install --require-hashes --no-deps --requirement requirements.txt

COPY pyproject.toml README.md ./
COPY gemini_sft gemini_sft
COPY components components
COPY pipelines pipelines
COPY launcher launcher
COPY vertex_emulator vertex_emulator
RUN pip install --no-deps . && useradd --create-home runner

USER runner
WORKDIR /home/runner
