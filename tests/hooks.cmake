# SPDX-License-Identifier: MIT
# Tests of the hooks layer, on counted objects of their own.
ouro_test(hooks_registry SOURCES hooks_registry.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_refusals SOURCES hooks_refusals.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_lift SOURCES hooks_lift.c hooks_zoo.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_assign SOURCES hooks_assign.c hooks_zoo.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_written SOURCES hooks_written.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_deepcopy SOURCES hooks_deepcopy.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_deepcopy_written
    SOURCES hooks_deepcopy_written.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_deep SOURCES hooks_deep.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_seq SOURCES hooks_seq.c hooks_mock.c VARIANTS main off WHITEBOX)
ouro_test(hooks_random
    SOURCES hooks_random.c hooks_random_types.c hooks_random_values.c hooks_mock.c
    VARIANTS main off WHITEBOX)
ouro_test(doc_hooks SOURCES doc_hooks.c hooks_mock.c WHITEBOX)
