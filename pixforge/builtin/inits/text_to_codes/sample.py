"""Sample codes from a text, with a cache of keys and values and with classifier-free guidance."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.builtin.inits.text_to_codes.transformer import Block, TextToCodes
from pixforge.contracts.painter import Choose


class Reader:
    """Reads the sequence in pieces and keeps the keys and values of every block.

    Args:
        model: the transformer.
        batch: B.
    """

    def __init__(self, model: TextToCodes, batch: int) -> None:
        self._model = model
        shape, like = model.shape, model.text_place
        size = (shape.layers, batch, shape.heads, shape.text_length + shape.count, shape.width // shape.heads)
        self._keys, self._values = like.new_zeros(size), like.new_zeros(size)
        self._seen = 0

    def read(self, stream: torch.Tensor) -> torch.Tensor:
        """Read more of the sequence `[B, t, width]` and return the logits `[B, codes]` of the next code."""
        end = self._seen + stream.shape[1]
        for index, block in enumerate(self._model.blocks):
            assert isinstance(block, Block)
            query, key, value = block.heads_of(stream)
            self._keys[index, :, :, self._seen : end] = key
            self._values[index, :, :, self._seen : end] = value
            stream = block.after(stream, _seen(query, self._keys[index], self._values[index], end))
        self._seen = end
        return self._model.logits(stream[:, -1]).float()

    def multiply(self, times: int) -> None:
        """Repeat every sequence of the batch `times` times, with the copies of one next to each other."""
        if times > 1:
            self._keys, self._values = (
                each.repeat_interleave(times, dim=1) for each in (self._keys, self._values)
            )


def _seen(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, end: int) -> torch.Tensor:
    """Attend from `query` `[B, heads, t, d]` to the first `end` keys and values of `[B, heads, T, d]`.

    The first piece has t > 1 and attends to itself causally; later tokens come one by one and attend to all before.
    """
    if query.shape[2] > 1:
        return F.scaled_dot_product_attention(query, keys[:, :, :end], values[:, :, :end], is_causal=True)
    # For a single query, plain products are twice as fast as torch's attention on a CPU, in bf16 three times. They
    # use the full-length cache: of a slice, torch would make a larger copy in each step, and fragment the memory.
    fitting = (
        torch.bmm(keys.flatten(0, 1), query.flatten(0, 1).transpose(1, 2)).float() * query.shape[-1] ** -0.5
    )
    fitting[:, end:] = -torch.inf
    shares = fitting.softmax(dim=1).to(values.dtype)
    return torch.bmm(shares.transpose(1, 2), values.flatten(0, 1)).view_as(query)


@torch.no_grad()
def sample(
    model: TextToCodes,
    text: torch.Tensor,
    uniform: torch.Tensor,
    choice: Choose,
    guidance: float = 1.0,
    sentence: torch.Tensor | None = None,
    begun: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sample the codes of pictures.

    Classifier-free guidance (Ho and Salimans 2022) extrapolates the logits: those without text, plus `guidance` times
    their difference to those with the text.

    Args:
        model: the transformer, on any device.
        text: tokens `[B, text_length]`, or `[1, text_length]` if all pictures share a text, which is then read once.
        uniform: random numbers `[B, rows * columns]` in [0, 1).
        choice: how a code is chosen from its logits.
        guidance: 0 ignores the text, 1 is the plain model, larger values follow the text more closely.
        sentence: the embedding of the text, `[B, sentence]` or `[1, sentence]`, for models that use it.
        begun: the first codes of every picture in reading order, `[k]`; the others are drawn.

    Returns:
        Numbers in the codebook, `[B, rows, columns]`.
    """
    shape, batch = model.shape, len(uniform)
    copies = batch // len(text)
    twice = guidance != 1
    if twice:
        text = torch.cat((text, torch.zeros_like(text)))
        sentence = None if sentence is None else torch.cat((sentence, torch.zeros_like(sentence)))
    stream = model.text_stream(text, sentence)
    begun = text.new_empty(0) if begun is None else begun
    stream = torch.cat((stream, model.code_stream(begun.expand(len(text), -1))), dim=1)
    reader = Reader(model, len(text))
    logits = reader.read(stream).repeat_interleave(copies, dim=0)
    reader.multiply(copies)
    drawn = list(begun.expand(batch, -1).T)
    for place, each in enumerate(uniform.T[len(begun) :], len(begun)):
        if twice:
            told, untold = logits.chunk(2)
            logits = untold + guidance * (told - untold)
        fresh = choice(logits, each)
        drawn.append(fresh)
        if place + 1 < shape.count:
            both = torch.cat((fresh, fresh)) if twice else fresh
            logits = reader.read(model.code_stream(both.unsqueeze(1), place))
    return torch.stack(drawn, dim=1).view(batch, shape.rows, shape.columns)
