# SPDX-License-Identifier: MIT
# The tests of alloc/.
ouro_test(alloc_sizes VARIANTS main off)
ouro_test(alloc_blocks VARIANTS main off)
ouro_test(alloc_misuse VARIANTS main off)
ouro_test(alloc_limits VARIANTS main off)
ouro_test(alloc_options VARIANTS main off)
ouro_test(alloc_supply VARIANTS main off)
ouro_test(alloc_pages WHITEBOX VARIANTS main off)
ouro_test(alloc_threads WHITEBOX NEEDS_THREADS TIMEOUT 120)
ouro_test(alloc_fork NEEDS_THREADS TIMEOUT 120)
ouro_test(alloc_random WHITEBOX NEEDS_THREADS)
