# Show what there is
default:
    @just --list

# Build Voicera and start it: `just run`, `just run --listen 127.0.0.1:0`
run *options:
    cargo run --release -- serve {{options}}

# Check everything that a change has to pass; `just test --fast` leaves out the slow parts
test *options:
    scripts/test {{options}}

# Formatting and lints alone
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Format the code
fmt:
    cargo fmt

# Measure: understanding, the queue, the server
bench:
    cargo bench --locked --bench nlu
    cargo bench --locked --bench queue
    cargo bench --locked --bench bullmq
    cargo bench --locked --bench server
    cargo bench --locked --bench users
    cargo bench --locked --bench mongo
    cargo bench --locked --bench gateway

# Build the documentation of the code
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked

# Write openapi.json anew, after an endpoint has changed
openapi:
    cargo run --quiet -- openapi > openapi.json
