"""What was trained, out to where it is used: ONNX files that hold everything from pixels to vectors, weights for timm and
transformers, and the card that says what they are."""
