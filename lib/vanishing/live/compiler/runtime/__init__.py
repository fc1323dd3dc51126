"""What compiled programs call, in JavaScript and WebAssembly, and how node runs them."""
