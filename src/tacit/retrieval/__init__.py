"""Finding: ways to compare a question with documents, and what they need of the documents."""
