"""Ways to be apart from others, beside those of the room above."""
