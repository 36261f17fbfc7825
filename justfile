# What there is to do; each recipe is one line that a script or cargo does.

# List the recipes
default:
    @just --list

# Format all code
fmt:
    cargo fmt --all

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

# Measure: `just bench encode [FILE]`
bench WHAT *FILE:
    scripts/bench-{{WHAT}} {{FILE}}

# Everything that must hold before a change goes in
ci:
    .ci/run
