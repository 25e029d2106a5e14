"""The verbs that put an encoder to work: embed, search, cluster, and what keeps a table."""
