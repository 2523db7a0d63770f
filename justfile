# Habitual commands; `just` lists them.

default:
    @just --list

build:
    cargo build --release

test:
    cargo test --workspace

lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

fuzz SECONDS="60":
    cargo run -p catdb-fuzz --bin drive -- --seconds {{SECONDS}}

bench:
    cargo build --release
    cargo bench -p catdb-benches

findings:
    cargo run -- explain --format markdown > docs/findings.md
