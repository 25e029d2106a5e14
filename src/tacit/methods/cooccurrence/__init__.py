"""What comes together: a thing and its context, told from what chance would put there."""
