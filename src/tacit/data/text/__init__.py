"""Texts: from lines, lists and folders to samples; their tokenizer, which a run keeps; pairs with scores, and judged queries."""
