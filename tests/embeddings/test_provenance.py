import pytest

from tacit.embeddings.provenance import Provenance


def test_metadata_round_trip(made):
    assert Provenance.from_metadata({**made.metadata(), b"other": b"x"}) == made


@pytest.mark.parametrize(
    "metadata", [None, {}, {b"other": b"x"}, {b"tacit": b"not json"}, {b"tacit": b"[]"}, {b"tacit": b'{"run": "a"}'}]
)
def test_what_is_no_provenance_is_refused(metadata):
    with pytest.raises(ValueError):
        Provenance.from_metadata(metadata)


def test_a_field_of_another_type_is_refused(made):
    metadata = {b"tacit": made.metadata()[b"tacit"].replace(b'"dim": 16', b'"dim": "16"')}
    with pytest.raises(ValueError, match="dim"):
        Provenance.from_metadata(metadata)


def test_vectors_have_at_least_one_number():
    with pytest.raises(ValueError, match="0 numbers"):
        Provenance("run", "hash", "dense", "cosine", 0, "image", "0.1.0")
