"""Causal language models: templates, batches, scoring and fine-tuning."""
