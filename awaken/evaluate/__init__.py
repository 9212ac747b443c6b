"""The paper's numbers by one command: Table 1, Fig. 2, 6, 7 and 8, for any backend and proxy.

``python -m awaken.evaluate run | score | table | figures``: each does only what is missing. Its
folder holds ``protocol.json`` (what was decided), ``pairs.jsonl``, the condition images, one
lossless video per arm and id with its settings inside, and the scores of each.

The authors published no evaluation code, and the paper leaves open which captions, frames, CLIP and
I3D it means. What is decided here instead stands in ``protocol``, and beside every table: numbers
compare within one protocol only.
"""
