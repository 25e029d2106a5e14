"""The verbs that put an encoder to work: embed, search, cluster, curate, and what keeps a table."""
