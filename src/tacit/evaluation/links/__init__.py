"""Numbers of links between things: how high true ones are ranked."""
