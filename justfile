# What there is to do; each recipe is one line that a script or cargo does.

# List the recipes
default:
    @just --list

# Format all code
fmt:
    cargo fmt --all

# Licences, bans and sources of all crates; `cargo deny check advisories` needs RustSec's database
deny:
    cargo deny --version >/dev/null || cargo install --locked cargo-deny
    cargo deny check licenses bans sources

# Lint with warnings denied
clippy:
    cargo clippy --workspace --all-targets --quiet -- -D warnings

# Build the documentation with warnings denied
doc:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --quiet

# Run every test, or those whose names contain a filter
test *FILTER:
    scripts/test {{FILTER}}

# Write the expected texts of golden tests anew, to be read before they are committed
golden:
    scripts/golden

# Show vodmill at work
demo *FILES:
    scripts/demo {{FILES}}

# Measure (docs/benchmarks.md): `just bench encode [FILE]`, `just bench quality`
bench WHAT *FILE:
    scripts/bench-{{WHAT}} {{FILE}}

# Thousands of small jobs through workers that are killed: `just soak [--jobs N]`
soak *OPTIONS:
    scripts/soak {{OPTIONS}}

# A thousand damaged files through the daemon: `just mutants [--mutants N]`
mutants *OPTIONS:
    scripts/mutants {{OPTIONS}}

# What takes longer than a change can wait: every fault point, disturbed in every way
nightly:
    VODMILL_WALK=whole scripts/test faultpoints

# Fuzz the parsers: `just fuzz [SECONDS [TARGET…]]`
fuzz *ARGS:
    scripts/fuzz {{ARGS}}

# Real files of many packages through the program, against docs/corpus.md: `just corpus --check`
corpus *OPTIONS:
    scripts/corpus {{OPTIONS}}

# Everything that must hold before a change goes in
ci:
    .ci/run
