"""Claims about two encoders, of images and of their captions."""
