"""Evaluation inside a tuning job: each exported checkpoint answers the validation dataset and is scored.

`request` reads the job's `evaluationConfig`, `checkpoint` and `scores` work in the training process, `results` writes
down what came of it: objects below the output prefix, runs in the job's experiment, `evaluateDatasetRuns` in the job.
"""
