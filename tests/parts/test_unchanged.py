"""What a method wants to see as it is stays so, whatever is asked of the views."""

import numpy as np
import pytest
import torch

from tacit.data import generated
from tacit.material import fit_views, gather_material, source_of
from tacit.parts.sequences.unchanged import UNCHANGED
from tacit.views.kinds import Fixed, Plain, Single

STRONG = {  # of every option that changes a view at random
    "image": {"crop": (0.1, 0.2), "ratio": (2.0, 2.0), "flip": 1.0, "jitter": 1.0, "grey": 1.0, "blur": 1.0, "solarise": 1.0},
    "series": {"crop": (0.2, 0.3), "jitter": 1.0, "magnitude": 1.0, "warp": 0.5, "permute": 4, "frequency_mask": 0.5},
    "table": {"corrupt": 0.9, "drop": 0.5, "subset": 0.5, "noise": 0.5},
    "vector": {"noise": 1.0, "drop": 0.9},
    "cloud": {"turn": 90.0, "tilt": 90.0, "scale": (2.0, 3.0), "jitter": 1.0, "crop": (0.1, 0.2), "holes": 0.5},
}
DRAW = np.random.default_rng(0).normal
DATA = {
    "image": lambda: generated.tiny_images(24),
    "series": lambda: DRAW(size=(24, 2, 40)).astype(np.float32),
    "table": lambda: generated.table(24),
    "vector": lambda: DRAW(size=(24, 6)).astype(np.float32),
    "cloud": lambda: DRAW(size=(24, 30, 3)).astype(np.float32),
}


@pytest.mark.parametrize("kind", STRONG)
def test_a_fixed_view_that_is_unchanged_yields_to_nothing(kind):
    material = gather_material(DATA[kind](), kind, None, "cpu")
    index = np.arange(8)
    content, _ = material.samples.read(index)

    def seen(given, of):
        program = source_of(material.samples, fit_views(material.facts, given), Single(of={kind: of}), given).program
        return program(content, index, 5)[0][0]

    plain = seen({}, Fixed(UNCHANGED[kind]))
    assert not torch.equal(seen(STRONG[kind], {}), plain)
    for name, value in STRONG[kind].items():
        assert torch.equal(seen({name: value}, Fixed(UNCHANGED[kind])), plain), name
    if kind in ("image", "table", "vector"):  # of the others a view has another length or order
        whole = source_of(material.samples, fit_views(material.facts, {}), Plain()).program(content, index, 5)[0][0]
        torch.testing.assert_close(plain, whole, rtol=0, atol=1e-5)
