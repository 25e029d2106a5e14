"""Small images on disk, made as the tests need them."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """`save("train/cat/1.png", colour)` writes an image of one colour (or of an array) below the test's folder."""

    def write(name: str, what: object = (10, 20, 30), size: tuple[int, int] = (8, 6), **options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(what) if isinstance(what, np.ndarray) else Image.new("RGB", size, what)
        image.save(path, **options)
        return path

    return write


@pytest.fixture
def png() -> Callable[[np.ndarray], bytes]:
    """An array as the content of a PNG file."""

    def encode(pixels: np.ndarray) -> bytes:
        stream = BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        return stream.getvalue()

    return encode
