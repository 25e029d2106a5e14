"""Methods that predict a representation: what another network says of the same sample, or of its hidden part."""
