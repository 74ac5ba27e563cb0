//! A MongoDB made ready for Voicera.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::doc;
use mongodb::options::ClientOptions;

use crate::Fault;

/// Makes the server at `port` a replica set of one member, and waits until it is the primary.
pub async fn initiate(port: u16) -> Result<(), Fault> {
    let direct = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
    let client = Client::with_options(ClientOptions::parse(direct).await?)?;
    let admin = client.database("admin");
    let member = doc! { "_id": 0, "host": format!("127.0.0.1:{port}") };
    admin.run_command(doc! { "replSetInitiate": { "_id": "rs0", "members": [member] } }).await?;
    while !admin.run_command(doc! { "hello": 1 }).await?.get_bool("isWritablePrimary")? {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client.shutdown().await;
    Ok(())
}
