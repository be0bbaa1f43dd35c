# The image that every component of the pipelines runs in: what the tasks import, and nothing else. Its name must hold
# the word "python": kfp takes that as a sign that components can run in it.
FROM python:3.11-slim

LABEL org.opencontainers.image.title="gemini-sft-python" \
      org.opencontainers.image.description="What the tasks of Gemini SFT Pipelines run in." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"

ENV PYTHONUNBUFFERED=1 PYTHONPATH=/opt/gemini-sft HOME=/home/runner

# What changes seldom comes first. A hash stands for every file that is downloaded, and none of them is built here.
COPY requirements-image.txt /opt/gemini-sft/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
    --requirement /opt/gemini-sft/requirements-image.txt

COPY gemini_sft /opt/gemini-sft/gemini_sft
# pip has compiled what it installed. The tasks may not write here, and would compile the rest at every start.
RUN python -m compileall -q /opt/gemini-sft/gemini_sft

# By its number, as Kubernetes wants it of whoever must not be root.
RUN useradd --uid 1000 --create-home runner
USER 1000
WORKDIR /home/runner
