"""Assignment against assignment: views of one thing fall into the same clusters."""
