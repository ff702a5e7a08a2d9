#!/usr/bin/env bash
# Trains AlexNet and ResNet-18 with unit-atlas and with PyTorch on the same phantoms, three seeds each, and
# prints the best validation AUC of every training. See docs/parity.md.
# usage: compare.sh FOLDER    UNIT_ATLAS names the program, PYTHON an interpreter with torch and torchvision
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
trunks=$here/../../content/trunks
atlas=${UNIT_ATLAS:-$here/../../target/release/unit-atlas}
python=${PYTHON:-python3}
work=${1:?usage: compare.sh FOLDER}
for seed in 1 2 3; do
  folder=$work/$seed
  mkdir -p "$folder"
  cat >"$folder/atlas.yaml" <<EOF
seed: $seed
source: { kind: phantom, patients: 20, height: 600 }
split: { train: 0.7, validation: 0.3, test: 0.0 }
networks:
  - { name: alexnet, weights: builtin, input: 113, training: { epochs: 3, batch: 16, lr: 0.002, weight_decay: 5.0e-4, schedule: cosine, warmup: 20, augment: true, balance: true } }
  - { name: resnet18, weights: builtin, input: 113, training: { epochs: 2, batch: 16, lr: 0.005, weight_decay: 5.0e-4, schedule: cosine, warmup: 20, augment: true, balance: true } }
EOF
  "$atlas" --config "$folder/atlas.yaml" train | sed "s/^/seed $seed unit-atlas: /"
  "$atlas" --config "$folder/atlas.yaml" patches export "$folder/patches" >/dev/null
  run() { "$python" "$here/train.py" "$folder/patches" "$@" --seed "$seed" | sed "s/^/seed $seed PyTorch: /"; }
  run alexnet "$trunks/alexnet.safetensors" --epochs 3 --lr 0.002
  run resnet18 "$trunks/resnet18.safetensors" --epochs 2 --lr 0.005
done
