//! The rigs: each does one thing to the real program over and over, and lets the checker
//! judge. `bash tests/proof` runs them in their long form.

mod kill;

use std::time::Duration;

/// How long a world may take at its end until everything is told and delivered.
const PATIENCE: Duration = Duration::from_secs(120);
