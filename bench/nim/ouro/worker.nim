# SPDX-License-Identifier: MIT
## The worker on Ouro: a directory of its own, for the sake of its config.nims.
include ../worker
