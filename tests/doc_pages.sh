#!/bin/sh
# SPDX-License-Identifier: MIT
# doc_pages.sh SOURCE_DIR PUBLIC_HEADERS: what is there can be found. Every page of docs/ stands in
# README.md's table, every relative link leads to a file, and every public function is named on some
# page (those of one count mode as the name without the mode).
set -u
cd "$1" || exit 2
bad=0

complain() {
    echo "$*"
    bad=1
}

for page in docs/*.md; do
    grep -q "]($page)" README.md || complain "$page: README.md does not lead to it"
done

for page in README.md CONTRIBUTING.md docs/*.md docs/adr/*.md; do
    for link in $(grep -o '](\([^):#]*\)' "$page" | sed 's/](//'); do
        [ -e "$(dirname "$page")/$link" ] || complain "$page: a link leads nowhere: $link"
    done
done

headers=$(grep -v '^alloc/\(config\|atomic\|layout\)\.h$' "$2")
# The names are words to be split.
# shellcheck disable=SC2086
for name in $(grep -ho '\bouro_[a-z0-9_]*(' $headers | tr -d '(' | grep -v '^ouro__' |
    sed 's/_\(local\|atomic\|biased\)$//' | sort -u); do
    grep -qw "$name" README.md docs/*.md || complain "$name: no page names it"
done

[ "$bad" -eq 0 ]
