mod codes;
mod commands;
mod directory;
mod lifecycle;
mod machine;
mod renewal;
mod tokens;
