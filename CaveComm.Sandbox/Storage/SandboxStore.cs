using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Storage;

/// <summary>The look-alikes' memory: JSON documents in named collections, kept in a journal file so that they outlive a kill -9.</summary>
/// <remarks>Every change is one journal line, written before it is seen; the journal is compacted when it is opened. One process owns it.</remarks>
public sealed class SandboxStore : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, SortedDictionary<string, JsonObject>> collections = new(StringComparer.Ordinal);
    private readonly StreamWriter journal;

    public SandboxStore(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (File.Exists(path))
        {
            Replay(path);
        }

        var compacted = path + ".new";
        using (var writer = new StreamWriter(compacted))
        {
            foreach (var (collection, documents) in collections)
            {
                foreach (var (id, document) in documents)
                {
                    writer.WriteLine(Line([(collection, id, document)]));
                }
            }
        }

        File.Move(compacted, path, overwrite: true);
        journal = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
    }

    /// <summary>Reads and changes under one lock: all of the changes are kept, or none.</summary>
    public T Transact<T>(Func<Work, T> work)
    {
        lock (gate)
        {
            var unit = new Work(this);
            var result = work(unit);
            unit.Commit();
            return result;
        }
    }

    public void Transact(Action<Work> work) => Transact(unit =>
    {
        work(unit);
        return true;
    });

    public JsonObject? Find(string collection, string id) => Transact(work => work.Find(collection, id));

    public IReadOnlyList<JsonObject> All(string collection) => Transact(work => work.All(collection));

    public void Dispose() => journal.Dispose();

    private static string Line(IEnumerable<(string Collection, string Id, JsonObject? Document)> changes) =>
        new JsonArray([.. changes.Select(c => new JsonArray(c.Collection, c.Id, c.Document?.DeepClone()))]).ToJsonString();

    private void Replay(string path)
    {
        foreach (var line in File.ReadLines(path))
        {
            JsonArray changes;
            try
            {
                changes = JsonNode.Parse(line)!.AsArray();
            }
            catch (System.Text.Json.JsonException)
            {
                return; // The last line of a journal that was cut off: its change was never answered.
            }

            foreach (var change in changes)
            {
                Apply((string)change![0]!, (string)change[1]!, change[2]?.DeepClone().AsObject());
            }
        }
    }

    private void Apply(string collection, string id, JsonObject? document)
    {
        if (!collections.TryGetValue(collection, out var documents))
        {
            collections[collection] = documents = new(StringComparer.Ordinal);
        }

        if (document is null)
        {
            documents.Remove(id);
        }
        else
        {
            documents[id] = document;
        }
    }

    /// <summary>One unit of reading and changing. What it returns are copies; <see cref="Put"/> makes a change lasting.</summary>
    public sealed class Work
    {
        private readonly SandboxStore store;
        private readonly Dictionary<(string Collection, string Id), JsonObject?> changes = [];

        internal Work(SandboxStore store) => this.store = store;

        public JsonObject? Find(string collection, string id) => Peek(collection, id)?.DeepClone().AsObject();

        /// <summary>All documents of a collection, ordered by id (ordinal).</summary>
        public IReadOnlyList<JsonObject> All(string collection) => [.. Ids(collection).Select(id => Find(collection, id)).OfType<JsonObject>()];

        /// <summary>The documents of a collection that fit, ordered by id (ordinal). Only these are copied; <paramref name="fits"/> must change nothing.</summary>
        public IReadOnlyList<JsonObject> Where(string collection, Func<JsonObject, bool> fits) =>
            [.. Ids(collection).Select(id => Peek(collection, id)!).Where(fits).Select(document => document.DeepClone().AsObject())];

        /// <summary>Reads all documents of a collection without copying them; <paramref name="read"/> must neither change nor keep them.</summary>
        public IReadOnlyList<T> Select<T>(string collection, Func<JsonObject, T> read) =>
            [.. Ids(collection).Select(id => read(Peek(collection, id)!))];

        /// <summary>The ids of a collection, in ordinal order.</summary>
        public IReadOnlyList<string> Ids(string collection)
        {
            IEnumerable<string> kept = store.collections.TryGetValue(collection, out var documents) ? documents.Keys : [];
            var changed = changes.Where(c => c.Key.Collection == collection).ToDictionary(c => c.Key.Id, c => c.Value is not null);
            return changed.Count == 0
                ? [.. kept]
                : [.. kept.Where(id => !changed.ContainsKey(id)).Concat(changed.Where(c => c.Value).Select(c => c.Key)).Order(StringComparer.Ordinal)];
        }

        public void Put(string collection, string id, JsonObject document) => changes[(collection, id)] = document.DeepClone().AsObject();

        public void Remove(string collection, string id) => changes[(collection, id)] = null;

        private JsonObject? Peek(string collection, string id)
        {
            if (changes.TryGetValue((collection, id), out var changed))
            {
                return changed;
            }

            return store.collections.TryGetValue(collection, out var documents) && documents.TryGetValue(id, out var document) ? document : null;
        }

        internal void Commit()
        {
            if (changes.Count == 0)
            {
                return;
            }

            store.journal.WriteLine(Line(changes.Select(c => (c.Key.Collection, c.Key.Id, c.Value))));
            foreach (var ((collection, id), document) in changes)
            {
                store.Apply(collection, id, document);
            }
        }
    }
}
