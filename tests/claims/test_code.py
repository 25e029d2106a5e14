"""The hash of the code that numbers depend on."""

import pytest

from tacit import claims
from tacit.claims import code


def reached(module: str) -> set[str]:
    """What a module imports, directly or not."""
    found, waiting = set(), {module}
    while waiting:
        here = waiting.pop()
        found.add(here)
        waiting |= set(code.imports(here)) - found
    return found


def test_a_claim_reaches_its_method_and_its_loss_and_no_other_method():
    seen = reached("claims.contrast.dcl")
    assert {"methods.contrast.dcl", "objectives.dcl", "methods.contrast.simclr", "claims.training"} <= seen
    assert "methods.masked.mae" not in seen


@pytest.mark.parametrize("module", ["views.image", "views.pixels", "method", "training.loop", "material", "pretraining"])
def test_what_makes_the_numbers_changes_the_hash(module, monkeypatch):
    here, meaning = claims.module_of("dcl"), code._meaning
    before, changed = code.hash_of(here), code._file(module)
    monkeypatch.setattr(code, "_meaning", lambda file: meaning(file) + "changed" * (file == changed))
    assert code.hash_of(here) != before


@pytest.mark.parametrize("module", ["views.vector", "encoders.vector", "modalities"])
def test_what_is_for_other_kinds_of_data_does_not(module, monkeypatch):
    here, meaning = claims.module_of("dcl"), code._meaning
    before, changed = code.hash_of(here), code._file(module)
    monkeypatch.setattr(code, "_meaning", lambda file: meaning(file) + "changed" * (file == changed))
    assert code.hash_of(here) == before


def test_the_words_of_the_command_line_do_not(monkeypatch):
    here, meaning = claims.module_of("dcl"), code._meaning
    before, changed = code.hash_of(here), code._file("cli.reproduce")
    monkeypatch.setattr(code, "_meaning", lambda file: meaning(file) + "changed" * (file == changed))
    assert code.hash_of(here) == before


def test_claims_have_hashes_of_their_own_that_do_not_change_by_themselves():
    hashes = {key: code.hash_of(claims.module_of(key)) for key in claims.listing()}
    assert len(set(hashes.values())) == len(hashes)
    assert hashes == {key: code.hash_of(claims.module_of(key)) for key in claims.listing()}


def test_words_do_not_count_and_numbers_do(tmp_path):
    def meaning(text: str) -> str:
        file = tmp_path / f"{abs(hash(text))}.py"
        file.write_text(text)
        return code._meaning(file)

    plain = meaning('"""One."""\n\n\ndef f():\n    return 1\n')
    assert meaning('"""Two."""\ndef f():\n    """Told."""\n    return 1  # why\n') == plain
    assert meaning('"""One."""\n\n\ndef f():\n    return 2\n') != plain
