"""The dated table of Gemini models that can be tuned, and the questions asked of it."""

from gemini_sft.catalog.catalog import AssumedEpochs, Catalog, Model, Price, Retirement, catalog

__all__ = ["AssumedEpochs", "Catalog", "Model", "Price", "Retirement", "catalog"]
