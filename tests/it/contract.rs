//! Runs the contracts of the ports against LocalStack; the adapters in memory run them too.

use anyhow::Context;
use candlewick_shared::adapters::contract;
use libtest_mimic::Trial;

use crate::stack::Stack;

pub fn trials() -> Vec<Trial> {
    trials![sqs_keeps_the_contract_of_queues, s3_keeps_the_contract_of_stores]
}

fn sqs_keeps_the_contract_of_queues() -> anyhow::Result<()> {
    let stack = Stack::get();
    let aws = Stack::get().aws();
    stack.run(async {
        let created = aws.sqs().create_queue().queue_name("contract").send().await.context("create a queue")?;
        let url = created.queue_url.context("read its URL")?;
        contract::queue(&aws.queue(&url)).await
    })
}

fn s3_keeps_the_contract_of_stores() -> anyhow::Result<()> {
    let stack = Stack::get();
    let aws = Stack::get().aws();
    stack.run(async {
        aws.s3().create_bucket().bucket("contract").send().await.context("create a bucket")?;
        contract::store(&aws.store("contract")).await
    })
}
