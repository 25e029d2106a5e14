"""What is measured of texts: how alike two are in meaning, and which answer a query."""
