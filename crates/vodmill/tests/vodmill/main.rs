//! The program from outside: its command line and its configuration.

mod apart;
mod cli;
mod config;
mod delivery;
mod documents;
mod golden;
mod hopeless;
