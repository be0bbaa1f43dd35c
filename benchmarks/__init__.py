"""Measurements that people run; see README.md."""
