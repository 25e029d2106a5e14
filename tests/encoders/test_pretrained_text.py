"""Models of the library transformers: texts described with a model, its tokens, its weights, padding that does not matter."""

import json
import shutil

import numpy as np
import pytest
import torch

import tacit
from tacit.cli import run as cli
from tacit.data.opening import open as open_source
from tacit.data.text.generated import topics
from tacit.data.text.opening import from_strings
from tacit.data.text.tokenizer import trained
from tacit.encoders.pretrained_text import Transformers
from tacit.errors import TacitError
from tacit.material import fit_views
from tacit.method import Facts
from tacit.run import Run

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A small BERT with random weights and a tokenizer of its own, saved as such models are; texts, and a .yaml of both."""
    from tokenizers import Tokenizer, processors

    home = tmp_path_factory.mktemp("model")
    texts = topics(200).said(range(200))
    (home / "corpus.txt").write_text("\n".join(texts))
    fast = Tokenizer.from_str(trained(texts, 600))
    fast.add_special_tokens(["[CLS]", "[SEP]", "[PAD]"])
    cls, sep = (fast.token_to_id(name) for name in ("[CLS]", "[SEP]"))
    fast.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    own = transformers.PreTrainedTokenizerFast(tokenizer_object=fast, pad_token="[PAD]", mask_token="[MASK]")
    own.save_pretrained(home / "bert")
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.BertConfig(vocab_size=len(own), max_position_embeddings=40, **shape)
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(home / "bert")
    (home / "corpus.yaml").write_text("text: corpus.txt\nmodel: bert\n")
    return home


@pytest.fixture(scope="module")
def facts(home):
    samples = open_source(home / "corpus.yaml")
    more = samples.facts() | samples.statistics()
    assert json.loads(json.dumps(more)) == more
    return Facts("text", len(samples), fit_views(more, {}).shape, more), samples


@pytest.mark.parametrize("pool", ["mean", "first"])
def test_it_says_what_plain_transformers_says_of_padded_texts(home, facts, pool):
    known, samples = facts
    encoder = Transformers(known, pooling=pool).eval()
    own = transformers.AutoTokenizer.from_pretrained(home / "bert")
    model = transformers.AutoModel.from_pretrained(home / "bert", add_pooling_layer=False).eval()
    texts = ["ka", *samples.said(range(20)), samples.said([3])[0][:20]]
    views = fit_views(dict(known.more), {})
    content, _ = from_strings(texts).fitted(known.more).read(np.arange(len(texts)))
    view, _ = views.look(content, np.arange(len(texts)), 0, "plain")
    padded = own(texts, padding=True, truncation=True, max_length=40, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**padded).last_hidden_state
        got, tokens = encoder(view), encoder.tokens(view)
    inside = padded["attention_mask"].clone()
    inside[:, 0] = 0
    inside[torch.arange(len(texts)), padded["attention_mask"].sum(1) - 1] = 0
    mean = (hidden * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)
    assert torch.allclose(got, hidden[:, 0] if pool == "first" else mean, atol=1e-5)
    assert torch.allclose(
        tokens[inside[:, 1:-1][:, : tokens.shape[1]].bool()], hidden[:, 1:-1][inside[:, 1:-1].bool()], atol=1e-5
    )


def test_it_trains_embeds_and_is_opened_again_where_the_model_is_gone(home, tmp_path, capsys):
    shutil.copytree(home, tmp_path / "here")
    here = tmp_path / "here"
    few = ["--epochs", "1", "--batch", "32", "--quiet", "--device", "cpu", "--encoder", "transformers"]
    for method in ("simcse", "mlm"):
        assert cli(["pretrain", str(here / "corpus.yaml"), "--method", method, "--out", str(tmp_path / method), *few]) == 0
    run = Run(tmp_path / "simcse", "cpu")
    before = run.embed(here / "corpus.txt")
    shutil.rmtree(here / "bert")
    with pytest.warns(UserWarning, match="begins at random"):
        again = Run(tmp_path / "simcse", "cpu")
    assert torch.equal(again.embed(here / "corpus.txt"), before)
    assert before.shape == (200, 32) and not torch.equal(before, tacit.Run(tmp_path / "mlm", "cpu").embed(here / "corpus.txt"))


def test_what_is_missing_is_said(home, tmp_path):
    with pytest.raises(TacitError, match="needs texts in the tokens of its model"):
        Transformers(Facts("text", 9, (16, 4), {"seen": "1 1 1 1", "texts": 9}))
    for text, says in (
        ("text: nothing.txt", "which is not there"),
        ("text: corpus.txt\nmodel: ./nowhere", "There is no model ./nowhere"),
        ("text: corpus.txt\ncolour: red", "a field 'colour'"),
        ("text: corpus.txt\ntokenizer: corpus.txt", "cannot be read"),
    ):
        (home / "wrong.yaml").write_text(text)
        with pytest.raises(TacitError, match=says):
            open_source(home / "wrong.yaml")
