"""Make the token means that ship with the default encoder, from the Declaration: python training/make_token_means.py. Takes some minutes."""

from __future__ import annotations

from collections import defaultdict

import click
import numpy as np
import platformdirs
from rich.progress import track

from index.encoder import Layer, TokenEncoder
from index.language_priors import declaration, shipped_file
from index.pytorch_encoder import open_original
from index.related import TokenMeans, save_means, unit

LAYERS = (8, 12)  # of 12, for words and for sentences; layers 6 to 12 were compared
BATCH = 64


@click.command()
@click.option("--encoder", "name", default="")
def main(name: str) -> None:
    """Encode the Declaration and write index/priors/...-tokens.npz: the mean over languages of the mean over tokens of unit length."""
    encoder = open_original(name, platformdirs.user_cache_path("isogloss"))  # a prepared one shows only the layers that are used
    if not isinstance(encoder, TokenEncoder):
        raise click.ClickException("This encoder does not show its tokens; expected a transformer with a fast tokenizer.")
    texts = sorted(declaration(), key=lambda pair: len(pair[1]))
    sums: dict[str, list[Layer]] = defaultdict(list)
    for start in track(range(0, len(texts), BATCH)):
        batch = texts[start : start + BATCH]
        for (language, _), tokens in zip(batch, encoder.encode_tokens([text for _, text in batch], LAYERS), strict=True):
            sums[language].append(np.stack([np.append(unit(layer).sum(axis=0), len(layer)) for layer in tokens.layers]))
    totals = [np.sum(there, axis=0) for there in sums.values()]
    means = np.mean([total[:, :-1] / total[:, -1:] for total in totals], axis=0)
    save_means(TokenMeans(LAYERS, means.astype(np.float32)), shipped_file(encoder.fingerprint, "-tokens"))


if __name__ == "__main__":
    main()
