"""The dated table of Gemini models that can be tuned, and the questions asked of it."""

from gemini_sft.catalog.catalog import Catalog, Model, Retirement, catalog

__all__ = ["Catalog", "Model", "Retirement", "catalog"]
