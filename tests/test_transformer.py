"""The transformer keeps what scikit-learn asks of one, and says what the run that it trains would."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from tacit.data.tabular.rows import from_arrow
from tacit.errors import TacitError
from tacit.pretraining import pretrain
from tacit.transformer import TableTransformer

SMALL = {"options": {"width": 8, "depth": 1, "epoch_batches": 2, "warmup": 0}, "epochs": 1}


@parametrize_with_checks([TableTransformer(**SMALL)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def people(n: int) -> pa.Table:
    draws = np.random.default_rng(0)
    words = draws.choice(["a", "b", "c"], n)
    number = draws.normal(size=n) + 2 * (words == "a")
    return pa.table({"word": words, "number": number, "flag": draws.random(n) < 0.5, "label": draws.integers(0, 9, n)})


def test_it_says_what_the_run_says(tmp_path):
    rows = people(200)
    samples = from_arrow(rows, labelled=False)
    assert samples.names == ["word", "number", "flag", "label"]
    run = pretrain(samples, "simclr", out=tmp_path / "r", encoder="table_mlp", epochs=1, quiet=True, **SMALL["options"])
    fitted = TableTransformer(**SMALL).fit(rows)
    np.testing.assert_allclose(fitted.transform(rows), run.embed(samples).numpy(), atol=0.05)
    assert list(fitted.get_feature_names_out()[:2]) == ["tabletransformer0", "tabletransformer1"]


def test_in_a_pipeline_with_words_and_missing_cells():
    rows = people(200)
    y = np.array(rows["word"]) == "a"
    model = make_pipeline(TableTransformer(**{**SMALL, "epochs": 4}), LogisticRegression(max_iter=1000)).fit(rows, y)
    assert model.score(rows, y) > 0.9
    other = rows.set_column(0, "word", pa.array(["new", None] * 100))
    with pytest.warns(UserWarning, match="Column word holds values that the training part has not"):
        assert model.predict(other).shape == (200,)


def test_mistakes_are_named():
    with pytest.raises(TacitError, match="did you mean 'simclr'"):
        TableTransformer("simclt").fit(np.zeros((9, 3)))
    with pytest.raises(ValueError, match="Found array with 1 feature"):
        TableTransformer(**SMALL).fit(np.zeros((9, 1)))
    with pytest.raises(ValueError, match="infinity"):
        TableTransformer(**SMALL).fit(np.full((9, 3), np.inf))
