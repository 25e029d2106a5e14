"""Videos: files that PyAV decodes by seeking, folders of frames, arrays."""
