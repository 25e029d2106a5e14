"""Maps compared place by place."""
