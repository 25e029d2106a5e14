"""Statistics against the identity: features that agree across views and do not repeat each other."""
