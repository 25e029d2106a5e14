"""Two encoders whose answers to the parts of a sample are compared: images and their captions."""
