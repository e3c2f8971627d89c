"""Drawing codes from a text, each in a pass over itself only, with classifier-free guidance."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses

from pixforge.tokens.model import Block, TextToCodes
from pixforge.vqgan.choice import Choice


class Reader:
    """Reads the stream in pieces and keeps every block's keys and values.

    Args:
        model: whose stream it is.
        batch: B.
    """

    def __init__(self, model: TextToCodes, batch: int) -> None:
        self._model = model
        shape, like = model.shape, model.text_place
        size = (shape.layers, batch, shape.heads, shape.text_length + shape.count, shape.width // shape.heads)
        self._keys, self._values = like.new_zeros(size), like.new_zeros(size)
        self._seen = 0

    def read(self, stream: torch.Tensor) -> torch.Tensor:
        """The logits `[B, codes]` of what follows the stream `[B, t, width]` and all that was read before."""
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
        """Go on with so many copies of every stream, those of one next to each other."""
        if times > 1:
            self._keys, self._values = (
                each.repeat_interleave(times, dim=1) for each in (self._keys, self._values)
            )


def _seen(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, end: int) -> torch.Tensor:
    """What `[B, heads, t, d]` see of the first `end` of `[B, heads, T, d]`: a first piece of it itself, later tokens all."""
    if query.shape[2] > 1:
        return F.scaled_dot_product_attention(query, keys[:, :, :end], values[:, :, :end], is_causal=True)
    # Plain products: for one query, torch's own attention takes twice as long on a CPU, in bf16 three times. They are of
    # all there will be, since of a part torch makes copies that grow, and the gaps of them fill the memory.
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
    choice: Choice,
    guidance: float = 1.0,
    sentence: torch.Tensor | None = None,
) -> torch.Tensor:
    """Draw pictures' codes.

    Classifier-free guidance (Ho and Salimans 2022) takes the logits of no text and goes `guidance` times the way to
    those of the text.

    Args:
        model: on any device.
        text: tokens `[B, text_length]`, or `[1, text_length]` for all, which then are read only once.
        uniform: `[B, rows * columns]` in [0, 1), each picture's own.
        choice: how codes are drawn.
        guidance: 0 ignores the text, 1 is the plain model, more insists on the text.
        sentence: `[B, sentence]`, or `[1, sentence]` like the text, for models that take it.

    Returns:
        Numbers in the codebook, `[B, rows, columns]`.
    """
    shape, batch = model.shape, len(uniform)
    copies = batch // len(text)
    twice = guidance != 1
    if twice:
        text = torch.cat((text, torch.zeros_like(text)))
        sentence = None if sentence is None else torch.cat((sentence, torch.zeros_like(sentence)))
    reader = Reader(model, len(text))
    logits, drawn = reader.read(model.text_stream(text, sentence)).repeat_interleave(copies, dim=0), []
    reader.multiply(copies)
    for place, each in enumerate(uniform.T):
        if twice:
            told, untold = logits.chunk(2)
            logits = untold + guidance * (told - untold)
        fresh = choice(logits, each)
        drawn.append(fresh)
        if place + 1 < shape.count:
            both = torch.cat((fresh, fresh)) if twice else fresh
            logits = reader.read(model.code_stream(both.unsqueeze(1), place))
    return torch.stack(drawn, dim=1).view(batch, shape.rows, shape.columns)
