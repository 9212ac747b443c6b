#!/usr/bin/env bash
# On a machine with one large GPU: the tests that need it, then the three models at full size with random
# weights against the released code's loop. Under eight minutes on an H200; results go to the file named
# first (default: gpu.jsonl), one line of JSON a model.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-gpu.jsonl}
python -m pytest -q -m gpu tests/gpu || echo "tests failed; measuring all the same" >&2
python -m awaken.bench --official animate_anything consisti2v cinemo --rounds 2 | tee "$out"
AWAKEN_GRAPHS=1 python -m awaken.bench --official animate_anything --size 256 --rounds 2 | tee -a "$out"
