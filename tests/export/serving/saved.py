"""Tiny SavedModels that keep the contract, without Keras."""

from tests.export.serving.fakes import LATENT, write_version


def write_saved_model(folder, version, broken=False):
    """A version of a drawer whose first step tells the version; it takes no z below -9."""
    import tensorflow as tf

    module = tf.Module()
    module.version = tf.Variable(float(version))

    def draw(z, temperature, seed):
        n = tf.shape(z)[0]
        zeros = tf.zeros([n])
        first = tf.stack([zeros + module.version, z[:, 0], zeros], axis=-1)
        last = tf.stack([zeros + temperature, tf.cast(seed[:, 1], tf.float32), zeros + 1], axis=-1)
        strokes = tf.stack([first, last], axis=1)
        return {"strokes": strokes[: 0 if broken else n], "length": tf.fill([n], 2)}

    def decode(z, temperature, seed):
        good = tf.reduce_all(z > -9)
        with tf.control_dependencies([tf.debugging.Assert(good, ["z: expected more than -9"])]):
            return draw(tf.identity(z), temperature, seed)

    def sample(n, temperature, seed):
        z = tf.map_fn(
            lambda pair: tf.random.stateless_normal([LATENT], pair),
            tf.ensure_shape(seed, [None, 2]),
            fn_output_signature=tf.TensorSpec([LATENT], tf.float32),
        )
        return {"z": z[:n], **draw(z[:n], temperature, seed)}

    how = {
        "temperature": tf.TensorSpec(None, tf.float32, "temperature"),
        "seed": tf.TensorSpec(None, tf.int32, "seed"),
    }
    rows = {"z": tf.TensorSpec([None, LATENT], tf.float32, "z")}
    count = {"n": tf.TensorSpec([], tf.int32, "n")}
    signatures = {
        "decode": tf.function(decode).get_concrete_function(**rows, **how),
        "sample": tf.function(sample).get_concrete_function(**count, **how),
    }
    path = write_version(folder, version, attributes=[])
    tf.saved_model.save(module, str(path), signatures=signatures)
    return path
