"""Texts: lines, lists and folders as samples; the tokenizer that a run keeps; pairs with scores, and judged queries."""
