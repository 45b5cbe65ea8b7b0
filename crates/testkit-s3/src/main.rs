//! `testkit-s3`: the S3 server of the tests as a program. It prints one line, `S3 http://127.0.0.1:PORT control http://127.0.0.1:PORT`,
//! and goes on until it is stopped or its standard input ends after `--stop-with-input`.

use std::{io, path::PathBuf};

use anyhow::Context;
use clap::Parser;
use trailbook_testkit_s3::{Server, Settings};

/// An S3 server on loopback that fails when it is told to.
#[derive(Debug, Parser)]
struct Options {
    /// Directory of the buckets.
    #[arg(long)]
    directory: PathBuf,
    /// Bucket, made when it is not there.
    #[arg(long)]
    bucket: String,
    /// Access key id.
    #[arg(long)]
    access_key: String,
    /// Secret access key.
    #[arg(long)]
    secret_key: String,
    /// Port of the object protocol; 0 is a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Stop when standard input ends, so that it does not outlive whoever started it.
    #[arg(long)]
    stop_with_input: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let directory = options.directory.display().to_string();
    let settings = Settings {
        directory: options.directory,
        bucket: options.bucket,
        access_key: options.access_key,
        secret_key: options.secret_key,
        port: options.port,
    };
    let server =
        Server::start(settings).with_context(|| format!("no server on port {} over {directory}", options.port))?;
    println!("S3 {} control {}", server.endpoint(), server.control());
    if options.stop_with_input {
        io::copy(&mut io::stdin(), &mut io::sink())?;
    } else {
        loop {
            std::thread::park();
        }
    }
    Ok(())
}
