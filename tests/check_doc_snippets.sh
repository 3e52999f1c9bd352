#!/bin/sh
# SPDX-License-Identifier: MIT
# check_doc_snippets.sh SOURCE_DIR: the C code of the documentation is code that a test compiles.
#
# A block of README.md or docs/PAGE.md that begins with "```c NAME" must be, line by line, what
# stands in tests/doc_PAGE.c between two lines that say "/* [NAME] */"; the indentation of those
# lines is taken off. On such a page a C block without a name is an error, and so is a section that
# no block shows. Pages whose C blocks have no names show fragments that do not compile.
set -u
cd "$1" || exit 2
bad=0
pages=0

for page in README.md docs/*.md; do
    grep -q '^```c [a-z]' "$page" || continue
    pages=$((pages + 1))
    test=tests/doc_$(basename "$page" .md | tr A-Z a-z).c
    if [ ! -e "$test" ]; then
        echo "$page: has code with names, but there is no $test"
        bad=1
        continue
    fi
    awk -v page="$page" -v test="$test" '
        function complain(text) { print text; failed = 1 }
        FILENAME == test {
            if (match($0, /\/\* \[[a-z0-9_]+\] \*\/$/)) {
                name = substr($0, RSTART + 4, RLENGTH - 8)
                inside = inside == name ? "" : name
                indent = RSTART - 1
                sections[name] = 1
            } else if (inside != "") {
                blank = substr($0, 1, indent) ~ /^ *$/
                lines[inside, ++count[inside]] = blank ? substr($0, indent + 1) : $0
            }
            next
        }
        /^```/ && block != "" {
            if (number != count[block]) complain(page ": " block ": lines are missing at its end")
            block = ""
            next
        }
        /^```c( |$)/ {
            block = $2 == "" ? "?" : $2
            number = 0
            if (!(block in sections)) complain(page ":" FNR ": no section " block " in " test)
            shown[block] = 1
            next
        }
        block != "" && block in sections {
            number++
            if (lines[block, number] != $0)
                complain(page ":" FNR ": differs from " test ", [" block "] line " number)
        }
        END {
            for (name in sections)
                if (!(name in shown)) complain(test ": [" name "] is not shown in " page)
            exit failed
        }' "$test" "$page" || bad=1
done

echo "$pages pages with code"
[ "$bad" -eq 0 ]
