"""Parts of methods whose labels are clusters."""
