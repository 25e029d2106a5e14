"""A run answered for by HTTP: embeddings in OpenAI's form, search in a table, its health and its numbers."""
