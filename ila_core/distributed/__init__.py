"""The same stages on Ray: their own functions, over blocks of rows.

The way of the data. The process that asked for the build cuts the files of a pool into pieces and
writes records.parquet of what actors make of these. From there on a block is a run of its rows,
told in two numbers, and Ray carries such blocks to actors:

    pieces -> read -> records.parquet -> encode -> embeddings.npy -> place  \\
                          \\---> tokens -> score (n-gram or language model) -> landscape.parquet

An actor holds what a stage has prepared (the encoder, the n-gram models, the language model, the
landmarks), reads the rows of its block from the run folder, which every machine must see, and
sends back its vectors, losses or places; the stage writes these in the order of the rows. What is
learned from a sample or needs all rows at once is learned by the stage's own function in the
process that asked for the build, and sent to the actors once: the pool's tokenizer, the n-gram
models, UMAP (on landmarks above 250,000 records), k-means.

Nothing of a result depends on the size of a block: texts are encoded in the batches that the local
engine makes, a language model reads the windows and batches that it does, and what an n-gram model
or the landmarks say of a record depends on no other. So the run folder is the same to the byte
(losses of a language model on as many threads: an actor has one unless OMP_NUM_THREADS is set), and
either engine goes on with what the other has begun.

Whatever is finished is kept in the folder of its stage: who kills the build and starts it again
loses the blocks in the air. An actor that dies is replaced by Ray, and its block made anew.
"""
