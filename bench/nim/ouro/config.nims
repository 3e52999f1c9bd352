# SPDX-License-Identifier: MIT
# What makes the worker one on Ouro; where the library is, the command line says.
include "../../../orc/nim/ouro.nims"
